/// Where one invocation stops while another runs.
struct Stop: Sendable {
    /// The request before which the invocation stops; counts from 1.
    let step: Int
    /// Whether the process stands still until ``goesOn`` is given: none of its requests is sent meanwhile.
    let isHeld: Bool
    /// Given when the invocation comes to ``step``, or ends before it.
    let reached = Signal()
    let goesOn = Signal()

    /// - Parameter step: the request that is to be sent now.
    func pass(_ step: Int) async {
        guard step >= self.step else { return }
        reached.give()
        if isHeld { await goesOn.wait() }
    }
}
