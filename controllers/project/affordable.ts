/** Whether the Budgets would pay for a Project that waits, said to people. Pure. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import { cents, dollars } from "../../pkg/api/dollars.ts";
import type { ProjectEstimate } from "../../pkg/api/generated.ts";
import { clockTime } from "../../pkg/gateway/windows.ts";
import type { Need, Standing } from "../affordability.ts";
import type { Purse } from "../funds.ts";

/** Of a limit: how finely what is left is told while it suffices. Each write wakes every watcher. */
const STEPS = 10;

/** The condition Affordable of a Project with `standing`. */
export function affordable(
  standing: Standing,
  { estimate, nowMs }: { estimate: ProjectEstimate | undefined; nowMs: number },
): NewCondition {
  const type = "Affordable";
  switch (standing.is) {
    case "NoLimit":
      return { type, status: "True", reason: "NoLimit", message: "No limit holds for it." };
    case "NoHistory":
      return {
        type,
        status: "Unknown",
        reason: "NoHistory",
        message: "Fewer than three Projects are finished; the cost can't be estimated.",
      };
    case "Fits": {
      const { needs, purse } = standing;
      return {
        type,
        status: "True",
        reason: "Fits",
        message: `It needs about ${amount(needs)} ${word(needs)} (${trust(needs, estimate)}); ${spare(needs, purse)} left until ${until(purse, nowMs)}.`,
      };
    }
    case "TooLittleLeft": {
      const { needs, purse } = standing;
      const left = { ...needs, amount: purse.left[needs.unit] ?? 0 };
      return {
        type,
        status: "False",
        reason: "TooLittleLeft",
        message: `It needs about ${amount(needs)}, ${amount(left)} left until ${until(purse, nowMs)}: ${word(needs)}, ${name(purse)} (${trust(needs, estimate)}).`,
      };
    }
    case "NeverFits": {
      const { needs, purse } = standing;
      const limit = { ...needs, amount: purse.limit[needs.unit] ?? 0 };
      return {
        type,
        status: "False",
        reason: "NeverFits",
        message: `It never fits: needs about ${amount(needs)}, the limit is ${amount(limit)}: ${word(needs)}, ${name(purse)} (${trust(needs, estimate)}). Raise the limit, or split the Project up.`,
      };
    }
    case "Behind":
      return {
        type,
        status: "False",
        reason: "Behind",
        message: `It would fit, but ${standing.project} comes first: it has waited for money since ${standing.since}.`,
      };
  }
}

/** The range that the estimate states, how often it holds, and what it is told from. */
function trust({ unit, amount: needed }: Need, estimate: ProjectEstimate | undefined): string {
  if (estimate === undefined) return "its estimate is gone";
  const { low, high, about } =
    unit === "usd"
      ? { low: estimate.lowUSD, high: estimate.highUSD, about: estimate.usd }
      : { low: estimate.lowTokens, high: estimate.highTokens, about: estimate.tokens };
  const say = (value: number) => amount({ unit, amount: value });
  const whole = needed < about ? `${say(about)} in all, ` : "";
  return `${whole}${say(low)} to ${say(high)} in ${estimate.coveragePercent} % of cases, from ${estimate.projects} finished Projects`;
}

/** What is left, in words that hold until it has moved by a tenth of the limit. */
function spare({ unit, amount: needed }: Need, { left, limit }: Purse): string {
  const step = (limit[unit] ?? 0) / STEPS;
  const rest = left[unit] ?? 0;
  const told = Math.floor(rest / step) * step;
  return told > needed ? `over ${amount({ unit, amount: told })}` : amount({ unit, amount: rest });
}

/** An estimate is no truer for more digits; of less than ten cents two say nothing. */
function amount({ unit, amount: value }: Need): string {
  if (unit === "tokens") return String(Math.round(value));
  return value < 0.1 ? dollars(value) : cents(value);
}

const word = ({ unit }: Need): string => (unit === "usd" ? "USD" : "tokens");

const name = ({ period, budget }: Purse): string => `${period} limit of Budget ${budget}`;

function until({ endMs, timeZone }: Purse, nowMs: number): string {
  return clockTime(endMs, nowMs, timeZone);
}
