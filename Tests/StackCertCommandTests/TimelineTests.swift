import Testing
import Timekeeping

@testable import StackCertCommand

/// Where points in time are drawn.
@Suite struct TimelineTests {
    private let today = Fleet.now

    private func lifetime(_ from: Int, _ to: Int) -> ClosedRange<UnixInstant> {
        today.advanced(by: .days(from))...today.advanced(by: .days(to))
    }

    @Test("It goes from the first beginning to the last end, in proportion")
    func positions() {
        let timeline = Timeline([lifetime(-50, 40), lifetime(-10, 50)], today: today)
        #expect(timeline.position(of: today.advanced(by: .days(-50))) == 0)
        #expect(timeline.position(of: today.advanced(by: .days(-25))) == 2500)
        #expect(timeline.position(of: today) == 5000)
        #expect(timeline.position(of: today.advanced(by: .days(50))) == 10_000)
        #expect(!timeline.cuts(lifetime(-50, 50)))
    }

    @Test("Today is on it when everything has expired, and when nothing is valid yet")
    func todayOutside() {
        let past = Timeline([lifetime(-100, -50)], today: today)
        #expect(past.position(of: today) == 10_000)
        #expect(past.position(of: today.advanced(by: .days(-50))) == 5000)
        let future = Timeline([lifetime(50, 100)], today: today)
        #expect(future.position(of: today) == 0)
    }

    @Test("A lifetime of many years is cut, so that the others can be seen")
    func reach() {
        let long = lifetime(-10, 3640)
        let timeline = Timeline([long, lifetime(-10, 80)], today: today)
        #expect(timeline.cuts(long))
        #expect(!timeline.cuts(lifetime(-10, 80)))
        #expect(timeline.position(of: long.upperBound) == 10_000)
        #expect(timeline.position(of: today.advanced(by: .days(80))) > 2000)
    }

    @Test("No dates at all, and dates beyond reason, are no obstacle")
    func extremes() {
        let none = Timeline([], today: today)
        #expect((0...10_000).contains(none.position(of: today)))
        let all = UnixInstant(milliseconds: .min)...UnixInstant(milliseconds: .max)
        let endless = Timeline([all], today: today)
        #expect(endless.position(of: all.lowerBound) == 0)
        #expect(endless.position(of: today) == 5000)
        #expect(endless.position(of: all.upperBound) == 10_000)
        #expect(Timeline([all], today: all.upperBound).months.isEmpty)
    }

    @Test("At most six months are written at it, each at its first day")
    func months() {
        let short = Timeline([lifetime(-50, 40)], today: today).months.map(\.iso8601)
        #expect(short == ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"])
        let long = Timeline([lifetime(-400, 400)], today: today).months
        #expect((4...6).contains(long.count))
        #expect(long.allSatisfy { $0.iso8601.hasSuffix("-01T00:00:00Z") })
    }
}
