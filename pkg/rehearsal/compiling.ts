import type { Options } from "ajv";

/**
 * How schemas of our own are compiled by Ajv: in a third of the time. That they are schemas a test says, and what its
 * optimizer saves in a check is less than it takes.
 */
export const compiling = { validateSchema: false, code: { optimize: false } } satisfies Options;
