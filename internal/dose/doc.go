// Package dose turns badge results into doses and holds them against legal limits.
//
// Everything is a whole number of microsievert (µSv) and a calendar day; there is no float, clock, file or
// network here, and no person: the caller says what kind of worker a [Subject] is and hands over the current
// [Record] of each badge of all of that person's employments. [Evaluate] gives the totals of calendar years,
// of three consecutive months and of five consecutive years, and a [Finding] for each limit or investigation
// level that was passed. Limits are dated data in limits.csv, each row with its regulation and paragraph;
// rows marked to be verified come from general knowledge and must be read in the source before a legal
// decision rests on them.
//
// # Which badge is which dose (convention of 2026, to be checked against HSE's requirements for approval)
//
//   - Effective dose: Hp(10) of the whole-body badge (under the apron where there is one), plus its neutron
//     Hp(10), which [Total.Neutron] reports apart. Both are personal dose equivalents that stand for effective
//     dose (ICRP 103, ICRU 51), and the limit is on effective dose from all radiation, so they are summed. The
//     collar is never added, unless the organisation has chosen a [Combination] for double dosimetry.
//   - Lens: Hp(3) of the eye badge, else of the collar, else of the whole body. A collar or whole-body badge that
//     reports no Hp(3) lends its Hp(0.07).
//   - Skin: Hp(0.07), over the apron (collar, else whole body) and under it (whole body, else collar), each
//     summed over the year; the higher counts, since the limit is on any 1 cm².
//   - Extremity: Hp(0.07) of each hand (finger, else wrist) summed over the year; the higher hand counts.
//   - Abdomen, for three months: as effective dose, without a combination.
//   - Foetus: Hp(10) of the foetal badge, else of the whole body; neutron is added.
//
// "Else" goes by employment and period: the first that was worn and gave a number. A badge gives way to a better
// placed one of the same employment when those that gave a number cover each day of its period. Where they cover
// a part of it, it counts with what it has above those worn wholly within its period. A badge that was lost is
// counted as missing even when another stands in for it.
//
// # When
//
// A reading counts wholly on the last day of its period; periods that cross a boundary are counted as
// straddling it. A limit or level is passed when the total is above it: 20.000 mSv is not above 20 mSv. It is
// looked up on the day of the reading that passes it.
//
// Three consecutive months begin on any day s and end on the day before the same day three months on (or
// before the last day of that month, where it is too short). So 1 February to 30 April is one such period, 31
// January to 29 April another, and four monthly badges never fall into one, which they would if the period were
// counted backwards from 30 April to 30 January. All such periods are looked at: for each day with a
// reading, the longest that ends on it.
//
// # Many people
//
// [Collect] sums a year over people (collective dose, man-µSv) and distributes them over the bins of bins.csv, dated like the
// limits. Nobody without a result counts as zero.
//
// Not here: laboratory codes, who may see what, rounding for display, intakes (internal doses).
package dose
