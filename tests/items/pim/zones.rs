//! Time zones as Outlook stores them: TZDEFINITION and TZREG blobs of real zones. [MS-OXOCAL] 2.2.1.39, 2.2.1.41

/// Month, day of the week, week (5: last), hour, minute. Month 0: none.
type Change = (u16, u16, u16, u16, u16);
const NONE: Change = (0, 0, 0, 0, 0);

/// First year, bias, standard bias, daylight bias, to standard time, to daylight saving time.
type Rule = (u16, i32, i32, i32, Change, Change);

pub struct Zone {
    pub windows: &'static str,
    pub rules: &'static [Rule],
    /// Years that the rules are right for.
    pub years: [i16; 2],
}

pub const ZONES: [Zone; 8] = [
    Zone {
        windows: "W. Europe Standard Time",
        rules: &[(1601, -60, 0, -60, (10, 0, 5, 3, 0), (3, 0, 5, 2, 0))],
        years: [1996, 2037],
    },
    Zone {
        windows: "Eastern Standard Time",
        rules: &[
            (2006, 300, 0, -60, (10, 0, 5, 2, 0), (4, 0, 1, 2, 0)),
            (2007, 300, 0, -60, (11, 0, 1, 2, 0), (3, 0, 2, 2, 0)),
        ],
        years: [1987, 2037],
    },
    Zone {
        windows: "AUS Eastern Standard Time",
        rules: &[
            (2007, -600, 0, -60, (3, 0, 5, 3, 0), (10, 0, 5, 2, 0)),
            (2008, -600, 0, -60, (4, 0, 1, 3, 0), (10, 0, 1, 2, 0)),
        ],
        years: [2007, 2037],
    },
    Zone {
        windows: "Nepal Standard Time",
        rules: &[(1601, -345, 0, -60, NONE, NONE)],
        years: [1990, 2037],
    },
    // Changes of the offset itself are told as half a daylight saving time.
    Zone {
        windows: "Russian Standard Time",
        rules: &[
            (2010, -180, 0, -60, (10, 0, 5, 3, 0), (3, 0, 5, 2, 0)),
            (2011, -180, 0, -60, (1, 6, 1, 0, 0), (3, 0, 5, 2, 0)),
            (2012, -240, 0, -60, NONE, NONE),
            (2014, -180, 0, -60, (10, 0, 5, 2, 0), (1, 3, 1, 0, 0)),
            (2015, -180, 0, -60, NONE, NONE),
        ],
        years: [2000, 2037],
    },
    Zone {
        windows: "GMT Standard Time",
        rules: &[(1601, 0, 0, -60, (10, 0, 5, 2, 0), (3, 0, 5, 1, 0))],
        years: [1996, 2037],
    },
    // Half an hour of daylight saving time, in the southern summer.
    Zone {
        windows: "Lord Howe Standard Time",
        rules: &[(2008, -630, 0, -30, (4, 0, 1, 2, 0), (10, 0, 1, 2, 0))],
        years: [2008, 2037],
    },
    Zone {
        windows: "Newfoundland Standard Time",
        rules: &[(2012, 210, 0, -60, (11, 0, 1, 2, 0), (3, 0, 2, 2, 0))],
        years: [2012, 2037],
    },
];

fn change(out: &mut Vec<u8>, (month, weekday, week, hour, minute): Change) {
    for field in [0, month, weekday, week, hour, minute, 0, 0] {
        out.extend(field.to_le_bytes());
    }
}

impl Zone {
    /// TZDEFINITION.
    pub fn definition(&self) -> Vec<u8> {
        let name: Vec<u8> = self
            .windows
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut out = vec![2, 1];
        out.extend((name.len() as u16 + 6).to_le_bytes());
        out.extend(2u16.to_le_bytes());
        out.extend((name.len() as u16 / 2).to_le_bytes());
        out.extend(name);
        out.extend((self.rules.len() as u16).to_le_bytes());
        for (index, rule) in self.rules.iter().enumerate() {
            let is_last = index + 1 == self.rules.len();
            out.extend([2, 1, 0x3E, 0]);
            out.extend(if is_last { 2u16 } else { 0 }.to_le_bytes());
            out.extend(rule.0.to_le_bytes());
            out.extend([0; 14]);
            for bias in [rule.1, rule.2, rule.3] {
                out.extend(bias.to_le_bytes());
            }
            change(&mut out, rule.4);
            change(&mut out, rule.5);
        }
        out
    }

    /// TimeZoneStruct of the last rule.
    pub fn structure(&self) -> Vec<u8> {
        let rule = self.rules.last().expect("a rule");
        let mut out = Vec::new();
        for bias in [rule.1, rule.2, rule.3] {
            out.extend(bias.to_le_bytes());
        }
        for to in [rule.4, rule.5] {
            out.extend([0, 0]);
            change(&mut out, to);
        }
        out
    }
}
