// Patterns and fields that are valid and as hard to answer for as they can be.

const hours = Array.from({ length: 24 }, (_, hour) => hour).join(",");
const everyDay = "BYDAY=MO,TU,WE,TH,FR,SA,SU";
const months = "BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12";
export const tz = "Europe/Berlin";
export const rare = { rrule: "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", tz, start: "2027-01-01T02:30" };
export const hourly = { rrule: `FREQ=YEARLY;${months};${everyDay};BYHOUR=${hours}`, tz, start: "2027-01-01T00:30" };
export const exdate = Array.from({ length: 366 }, (_, n) =>
  new Date(Date.UTC(2030, 0, 1 + n, 9)).toISOString().slice(0, 19),
);
export const manyOut = { rrule: "FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=1000", tz, start: "2030-01-01T09:00", exdate };
/** Of which a hundred are open: the worker makes all it missed. */
export const backlog = () => ({
  rrule: `FREQ=DAILY;BYHOUR=${hours}`,
  tz: "UTC",
  start: `${new Date(Date.now() - 6 * 86_400_000).toISOString().slice(0, 10)}T00:30`,
  catch_up: "all",
  max_open: 100,
});
export const big = {
  description: "ä".repeat(20_000),
  tags: Array.from({ length: 50 }, (_, n) => `${n}`.padEnd(64, "ö")),
  remind: ["PT0S", "PT1H", "P1D@18:00", "P2D", "P3D", "P4D", "P5D", "P6D", "P1W", "P30D"],
};
