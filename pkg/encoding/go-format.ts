/** Values as Go prints them: error texts of kube-apiserver show them so. */

/** A float as `%v` shows it: `1e+06` and `1.5e-07`, but `100000` and `0.0001`. */
export function goFloat(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return Object.is(value, -0) ? "-0" : String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A JSON value as `%v` shows it: `map[a:1 b:[2 3]]`. */
export function goValue(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goValue).join(" ")}]`;
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : goFloat(value);
  if (typeof value !== "object") return String(value);
  const map = value as Record<string, unknown>;
  const entries = Object.keys(map)
    .sort()
    .map((key) => `${key}:${goValue(map[key])}`);
  return `map[${entries.join(" ")}]`;
}
