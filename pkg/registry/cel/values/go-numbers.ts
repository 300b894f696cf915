/** Go's `%g` of a float64: the shortest digits that read back, with an exponent below 1e-4 and from 1e6 on. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return plain(value);
  const size = Math.abs(exponent);
  return `${digits}e${exponent < 0 ? "-" : "+"}${size < 10 ? `0${size}` : size}`;
}

/** Go's strconv.ParseFloat; undefined when `text` is no number or one beyond float64. */
export function parseDouble(text: string): number | undefined {
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === "nan") return special[1] === "" ? Number.NaN : undefined;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Decimal digits without an exponent; JavaScript writes one below 1e-6. */
function plain(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [digits = "", power = "0"] = Math.abs(value).toExponential().split("e");
  const zeros = "0".repeat(Math.max(0, -Number(power) - 1));
  return `${value < 0 ? "-" : ""}0.${zeros}${digits.replace(".", "")}`;
}
