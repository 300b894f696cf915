/** Structured logs for those who run the operator: a constant message plus keys. */
import type { Clock } from "./clock.ts";
import { timestamp } from "./clock.ts";

export type Level = "debug" | "info" | "warn" | "error";

/** What a line says besides its message. Errors are written with their stack and causes. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger whose lines all carry `fields`. */
  with(fields: Fields): Logger;
}

const order: readonly Level[] = ["debug", "info", "warn", "error"];

/**
 * Writes one JSON object a line to `sink`, newline included: `time`, `level`, `message`, then the fields.
 *
 * @param least - lines below this level are dropped; `info` when absent
 */
export function jsonLogger(sink: (line: string) => void, clock: Clock, least: Level = "info"): Logger {
  const write = (level: Level, message: string, fields: Fields): void => {
    if (order.indexOf(level) < order.indexOf(least)) return;
    sink(`${line({ time: timestamp(clock.now()), level, message }, fields)}\n`);
  };
  return loggerOf(write, {});
}

/** Drops every line. */
export const silentLogger: Logger = loggerOf(() => {}, {});

type Write = (level: Level, message: string, fields: Fields) => void;

function loggerOf(write: Write, base: Fields): Logger {
  const at = (level: Level) => (message: string, fields?: Fields) =>
    write(level, message, { ...base, ...fields });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => loggerOf(write, { ...base, ...fields }),
  };
}

function line(head: Fields, fields: Fields): string {
  try {
    return JSON.stringify({ ...head, ...readable(fields) });
  } catch (error) {
    // A circle or a bigint: the message matters more than its fields.
    return JSON.stringify({ ...head, fieldsLost: String(error) });
  }
}

function readable(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describe(value) : value]),
  );
}

function describe(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${describe(error.cause)}` : own;
}
