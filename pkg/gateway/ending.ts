/** The lines that say how a request ended and what it is charged with. Pure. */
import { basisOf } from "./basis.ts";
import type { Step } from "./ledger-lines.ts";
import type { MessagesRequest } from "./messages-request.ts";
import { type Ending, type Reservation, type Settlement, settle, violates } from "./settlement.ts";

/**
 * What the ledger says of request `id`, which ended so: its settlement and, where that is more than was reserved, that
 * no bound can be trusted.
 */
export function endingSteps(
  id: string,
  { request, ending, reservation }: { request: MessagesRequest; ending: Ending; reservation: Reservation },
): Step[] {
  const settlement = settle(ending, reservation);
  const steps = [stepOf(id, request, settlement, ending)];
  if (settlement.is !== "released" && violates(settlement, reservation)) {
    steps.push({ step: "violated", id, cost: settlement.cost, bound: reservation.cost });
  }
  return steps;
}

function stepOf(id: string, request: MessagesRequest, settlement: Settlement, ending: Ending): Step {
  const upstreamId = ending.is === "answered" ? ending.upstreamId : undefined;
  switch (settlement.is) {
    case "released":
      return { step: "released", id, why: settlement.why };
    case "unsettled": {
      const { why, cost, tokens } = settlement;
      return { step: "unsettled", id, upstreamId, why, cost, tokens };
    }
    case "settled": {
      const { status, usage, usages, cost, tokens } = settlement;
      const says = status === 200 && ending.is === "answered" && !ending.seen.contextEdited;
      const basis = says ? { basis: basisOf(request, usages) } : {};
      return { step: "settled", id, upstreamId, status, usage, cost, tokens, ...basis };
    }
  }
}
