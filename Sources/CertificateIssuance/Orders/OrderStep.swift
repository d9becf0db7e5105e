package import Timekeeping

/// How far an order has come, for people who watch.
package enum OrderStep: Hashable, Sendable, CustomStringConvertible {
    case waiting
    case ordered(names: Int)
    case resumed
    case kept
    case accountReplaced(authority: String)
    case presented(answers: Int, challengeType: String)
    case validated(name: String)
    case finalizing
    case chainNotOffered(issuer: String)
    case leftoversStay([String], why: String)
    case issued(notAfter: UnixInstant)

    package var description: String {
        switch self {
        case .waiting: "another order for the same names is under way: waiting for it"
        case .ordered(let names): "ordered a certificate for \(names) \(names == 1 ? "name" : "names")"
        case .resumed: "going on with an order that was interrupted"
        case .kept: "reusing the certificate of these names that was deleted lately"
        case .accountReplaced(let authority):
            "\(authority) does not accept the account any more (deactivated, revoked or unknown): registered a new one"
        case .presented(let answers, let type):
            "answered \(answers) \(answers == 1 ? "challenge" : "challenges") by \(type)"
        case .validated(let name): "\(name) is validated"
        case .finalizing: "waiting for the certificate"
        case .chainNotOffered(let issuer):
            "no chain below \"\(issuer)\" is offered: taking the authority's own choice"
        case .leftoversStay(let places, let why):
            "answers to challenges could not be taken back yet: \(places.joined(separator: ", ")). \(why)"
        case .issued(let notAfter): "issued, valid until \(notAfter)"
        }
    }
}
