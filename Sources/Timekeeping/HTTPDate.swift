extension UnixInstant {
    /// Reads the date of an HTTP field in the one form that is still sent, `Sun, 06 Nov 1994 08:49:37 GMT`
    /// (RFC 9110, section 5.6.7).
    package init?(httpDate text: some StringProtocol) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT",
            let month = UnixInstant.months.firstIndex(where: { $0 == parts[2] }),
            let day = Int(parts[1]), let year = Int(parts[3])
        else { return nil }
        let time = parts[4].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
            let date = CivilDate(
                year: year, month: month + 1, day: day, hour: hour, minute: minute, second: min(second, 59))
        else { return nil }
        self = date.instant
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
