/** Seeds that once found something, in so many hours; 8 when absent. Each is tried again by the tests. */
export const PINNED: readonly { seed: number; hours?: number; found: string }[] = [
  { seed: 1, found: "A Review without a base commit, made while the target could not be seen." },
  { seed: 105, found: "A read that waited on a cache when its operator crashed looped without a pause." },
  {
    seed: 137,
    found: "A Project deleted between its merge's announcement and the swap was merged unrecorded.",
  },
  { seed: 424, found: "A session whose start was not reported before a crash was watched by nobody." },
  {
    seed: 595,
    found: "A person's Rework of a found secret counted as a review cycle, and a fourth was begun.",
  },
  {
    seed: 20,
    found:
      "A log read back after a kill took a tail along that was never synced; a loss of power then damaged it.",
  },
  {
    seed: 7,
    found: "The status of a Budget was written each second while the machine's clock was not believed.",
  },
  {
    seed: 201,
    found: "Agents looked again without a pause while a gateway held a usage limit whose end had passed.",
  },
  {
    seed: 87,
    found: "A gateway looked at its line each millisecond, by the end of a window on a clock not believed.",
  },
  {
    seed: 27,
    found: "Controllers that began while the Lease was renewed late never heard of sessions and checks.",
  },
  {
    seed: 35,
    found: "Whom a change concerns was asked for once, and nobody heard of it when no answer came.",
  },
  { seed: 111, found: "A streamed list whose history went meanwhile failed as if it were a bug." },
  {
    seed: 900_001,
    hours: 24,
    found: "A clock that was minutes ahead when it was confirmed could go minutes further ahead.",
  },
  {
    seed: 1_776_967_705,
    found: "A stop that failed once waited for a quarter of an hour where git had failed for long before.",
  },
];
