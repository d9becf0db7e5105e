import TestSupport
import Testing

@testable import CustomResource

@Suite struct LatchTests {
    @Test("The first value stands, whether it comes before or after somebody waits for it", .contract(18))
    func firstStands() async {
        let early = Latch<Int>()
        #expect(early.close(with: 1))
        #expect(!early.close(with: 2))
        #expect(await early.value == 1)

        let late = Latch<Int>()
        async let awaited = late.value
        await Task.yield()
        #expect(late.close(with: 3))
        #expect(!late.close(with: 4))
        #expect(await awaited == 3)
    }

    @Test("Of many who close it at once exactly one is the first", .contract(18))
    func onlyOne() async {
        for _ in 0..<50 {
            let latch = Latch<Int>()
            let firsts = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<8 { group.addTask { latch.close(with: number) } }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(firsts == 1)
        }
    }
}
