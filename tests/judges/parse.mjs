// Parses all calendars and cards with ical.js. Usage: node parse.mjs FOLDER-OF-ical.js MANIFEST
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { default: ICAL } = await import(pathToFileURL(process.argv[2]));
let checked = 0, failed = 0;
for (const { file } of JSON.parse(readFileSync(process.argv[3], "utf8"))) {
    if (file.endsWith(".txt")) continue;
    checked += 1;
    try {
        const parsed = ICAL.parse(readFileSync(file, "utf8"));
        // A file of several cards is a list of them.
        for (const one of Array.isArray(parsed[0]) ? parsed : [parsed]) {
            const root = new ICAL.Component(one);
            for (const zone of root.getAllSubcomponents("vtimezone")) {
                ICAL.TimezoneService.register(new ICAL.Timezone(zone));
            }
            for (const component of root.getAllSubcomponents("vevent")) {
                const event = new ICAL.Event(component);
                if (!event.uid) throw new Error("no UID");
                void event.duration;
                if (event.isRecurring()) {
                    const times = event.iterator();
                    for (let n = 0; n < 20 && times.next(); n++);
                }
            }
            ICAL.parse(root.toString());
        }
        ICAL.TimezoneService.reset();
    } catch (error) {
        failed += 1;
        console.log(`${file}: ${error}`);
    }
}
console.log(`${checked} files, ${failed} refused`);
process.exit(failed > 0 || checked === 0 ? 1 : 0);
