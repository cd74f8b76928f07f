// Compares the instances that ical.js finds with those that the stored patterns mean.
// Usage: node instances.mjs FOLDER-OF-ical.js EXPECTED, which recurrence.py writes.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { default: ICAL } = await import(pathToFileURL(process.argv[2]));
const MOST = 5000;
const text = time => time.isDate ? `${time.toString()}T00:00:00` : time.toString().replace("Z", "");

function instances(calendar, horizon) {
    const root = new ICAL.Component(ICAL.parse(calendar));
    for (const zone of root.getAllSubcomponents("vtimezone")) {
        ICAL.TimezoneService.register(new ICAL.Timezone(zone));
    }
    const all = root.getAllSubcomponents("vevent");
    const changed = all.filter(one => one.hasProperty("recurrence-id"));
    const master = all.find(one => !one.hasProperty("recurrence-id")) ?? all[0];
    const event = new ICAL.Event(master, { exceptions: changed });
    const starts = new Set();
    if (!event.isRecurring()) starts.add(text(event.startDate));
    else {
        const times = event.iterator();
        for (let n = 0, next; n < MOST && (next = times.next()) && text(next) < horizon; n++) {
            starts.add(text(event.getOccurrenceDetails(next).startDate));
        }
    }
    ICAL.TimezoneService.reset();
    return [...starts].filter(start => start < horizon).sort();
}

let checked = 0, failed = 0;
for (const [file, { expected, horizon }] of Object.entries(JSON.parse(readFileSync(process.argv[3], "utf8")))) {
    checked += 1;
    const found = instances(readFileSync(file, "utf8"), horizon);
    if (found.join() === expected.join()) continue;
    failed += 1;
    const missing = expected.filter(start => !found.includes(start)).slice(0, 5);
    const extra = found.filter(start => !expected.includes(start)).slice(0, 5);
    console.log(`${file}: ${expected.length} expected, ${found.length} found; missing ${missing}, extra ${extra}`);
}
console.log(`${checked} recurring items, ${failed} wrong`);
process.exit(failed > 0 || checked === 0 ? 1 : 0);
