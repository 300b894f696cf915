/** The parts of Go's layouts for RFC 3339: what each must match, and how an error names it. */
const seconds: readonly Part[] = [
  { layout: "2006", match: /^\d{4}/ },
  { layout: "-", match: /^-/ },
  { layout: "01", match: /^\d{2}/ },
  { layout: "-", match: /^-/ },
  { layout: "02", match: /^\d{2}/ },
  { layout: "T", match: /^T/ },
  { layout: "15", match: /^\d{2}/ },
  { layout: ":", match: /^:/ },
  { layout: "04", match: /^\d{2}/ },
  { layout: ":", match: /^:/ },
  // A fraction is read even where the layout has none.
  { layout: "05", match: /^\d{2}([.,]\d+)?/ },
  { layout: "Z07:00", match: /^(Z|[+-]\d{2}:\d{2})/ },
];
const microseconds: readonly Part[] = [
  ...seconds.slice(0, 10),
  { layout: "05", match: /^\d{2}/ },
  { layout: ".000000", match: /^[.,]\d{6}(?!\d)/ },
  { layout: "Z07:00", match: /^(Z|[+-]\d{2}:\d{2})/ },
];

/** What needs no writing anew. */
const asWritten = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

interface Part {
  readonly layout: string;
  readonly match: RegExp;
}

/**
 * An RFC 3339 time as Kubernetes writes it: in UTC, with six digits of a second (`micro`, which must be there) or none.
 *
 * @throws TypeError in the words of Go's `time.Parse`
 */
export function parseTime(text: string, micro: boolean): string {
  if (!micro && asWritten.test(text) && outOfRange(text) === undefined) return text;
  const layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
  let rest = text;
  for (const part of micro ? microseconds : seconds) {
    const found = part.match.exec(rest);
    if (found === null) {
      const why = `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part.layout)}`;
      throw new TypeError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: ${why}`);
    }
    rest = rest.slice(found[0].length);
  }
  if (rest !== "")
    throw new TypeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
  const wrong = outOfRange(text);
  if (wrong !== undefined) throw new TypeError(`parsing time ${JSON.stringify(text)}: ${wrong} out of range`);
  const [whole = "", fraction] = splitFraction(text);
  // Fractions finer than a Date holds are carried beside it: a zone shifts whole minutes.
  const at = new Date(whole).toISOString().slice(0, 19);
  return micro ? `${at}.${fraction}Z` : `${at}Z`;
}

function splitFraction(text: string): readonly [string, string] {
  const found = /[.,](\d+)/.exec(text);
  if (found === null) return [text, ""];
  return [text.replace(found[0], ""), found[1] as string];
}

function outOfRange(text: string): string | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(
    Number,
  );
  if (month < 1 || month > 12) return "month";
  if (day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return "day";
  if (hour > 23) return "hour";
  if (minute > 59) return "minute";
  return second > 59 ? "second" : undefined;
}
