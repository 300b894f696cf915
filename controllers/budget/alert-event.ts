import type { Event } from "../../pkg/api/event.ts";
import type { Budget, BudgetAlert } from "../../pkg/api/generated.ts";
import { alertMessage } from "./alerts.ts";

/** Longest part of a Budget's name in that of its Events: a name has 253 characters at most. */
const nameLengthMax = 200;

/**
 * The Event that tells of `alert`. Its name is the same however often it is made, so that the API refuses a second one.
 *
 * @param time - now, as a timestamp
 */
export function alertEvent(budget: Budget, alert: BudgetAlert, time: string): Event {
  const { name, namespace = "default", uid = "" } = budget.metadata;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      namespace,
      name: `${name.slice(0, nameLengthMax)}.${uid.slice(0, 8)}-${alert.window}-${alert.percent}`,
    },
    involvedObject: {
      apiVersion: budget.apiVersion,
      kind: budget.kind,
      namespace,
      name,
      ...(uid === "" ? {} : { uid }),
    },
    type: "Warning",
    reason: "BudgetAlert",
    message: alertMessage(alert),
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: "bosun" },
    reportingComponent: "bosun",
  };
}
