import Mesh

/// The report of finished runs: one HTML file that needs nothing but itself.
///
/// Words and tables stand in the page as they are; the script adds the pictures, from data that is
/// embedded as JSON.
package enum Report {
    /// How many events all timelines of a report show at most together; passed runs lose theirs
    /// first.
    static let eventsMax = 300_000

    /// Returns the page; several runs get a summary first.
    package static func html(of runs: [ReportRun]) -> String {
        let runs = self.fitting(runs)
        let words = ReportWords(runs: runs)
        return [
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"\(self.policy)\">",
            "<title>\(HTMLText.escaped(words.title))</title>",
            "<style>\n\(ReportStyle.text)</style>\n</head>\n<body>",
            words.body,
            "<script type=\"application/json\" id=\"report-data\">",
            HTMLText.embedded(ReportData.json(of: runs)),
            "</script>",
            "<script>\n\"use strict\";\n(() => {",
            ReportScript.timeline,
            ReportScript.drawing,
            ReportScript.numbers,
            ReportScript.page,
            "})();\n</script>\n</body>\n</html>\n",
        ].joined(separator: "\n")
    }

    /// Returns what came of the runs as an object for machines.
    package static func json(of runs: [ReportRun]) -> JSONValue {
        let worst = ReportWords.worst(of: runs)
        return [
            "verdict": .string(worst.rawValue), "runs": .array(runs.map(ReportData.result)),
        ]
    }

    /// Nothing is loaded from anywhere.
    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

    /// Drops the timelines that are too many for one page.
    private static func fitting(_ runs: [ReportRun]) -> [ReportRun] {
        var room = self.eventsMax
        var runs = runs
        for isPassed in [false, true] {
            for index in runs.indices where (runs[index].outcome == .passed) == isPassed {
                let count = runs[index].timeline?.events.count ?? 0
                if count > room {
                    runs[index].timeline = nil
                } else {
                    room -= count
                }
            }
        }
        return runs
    }
}

/// Writes text where HTML is read.
enum HTMLText {
    /// Returns text as it stands between tags and in attributes; control characters are shown.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Returns JSON that can stand in a script element: nothing in it ends the element, and no
    /// reader takes it for more than data.
    static func embedded(_ json: JSONValue) -> String {
        var out = ""
        // All of these stand inside of texts only, where an escape means the same.
        for scalar in json.text.unicodeScalars {
            switch scalar {
            case "<": out += "\\u003c"
            case ">": out += "\\u003e"
            case "&": out += "\\u0026"
            case "\u{2028}": out += "\\u2028"
            case "\u{2029}": out += "\\u2029"
            case "\u{7F}": out += "\\u007f"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
