package import Testing

/// Marks a test with the cases of `docs/custom-resource-contract.md` that it proves; `make contract` counts them.
package struct ContractTrait: TestTrait, SuiteTrait {
    package let cases: [Int]
}

extension Trait where Self == ContractTrait {
    package static func contract(_ cases: Int...) -> Self { ContractTrait(cases: cases) }
}
