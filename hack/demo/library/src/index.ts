export { LruCache } from "./cache.ts";
export { chunk, groupBy, range, unique } from "./collection.ts";
export { addDays, addMonths, isLeapYear } from "./date.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { deepMerge, omit, pick } from "./object.ts";
export { capitalize, slugify, truncate, wordCount } from "./text.ts";
