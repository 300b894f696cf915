import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent } from "../storage/blocking-files.ts";
import { replaceFileSync } from "../storage/replace-file.ts";
import { borrowFrom, DamagedCheckout } from "./checkout-files.ts";
import type { Layout } from "./layout.ts";

/**
 * Has the checkouts of a repository that was moved, or renamed with a folder above it, borrow its objects from where they
 * are now. What borrowed from anywhere else was made so by an agent, and is left alone. No process of a session may be alive.
 *
 * @param objects - absolute path of the repository's objects
 * @param options.isKnown - whether the repository has been Bosun's: one that takes its place would lend nothing they need
 */
export async function followMove(
  layout: Layout,
  objects: string,
  { isKnown }: { isKnown: () => Promise<boolean> },
): Promise<void> {
  const before = readIfPresent(layout.lender)?.trim();
  if (before === objects) return;
  if (before !== undefined && (await isKnown())) {
    for (const checkout of await checkoutsOf(layout)) await lend(checkout, before, objects);
  }
  // Last: what a crash has left undone is done by the next operator.
  replaceFileSync(layout.lender, `${objects}\n`, { durable: true });
}

async function lend(checkout: string, from: string, to: string): Promise<void> {
  try {
    await borrowFrom(checkout, { from, to });
  } catch (error) {
    // Whoever needs it says so.
    if (!(error instanceof DamagedCheckout)) throw error;
  }
}

async function checkoutsOf({ checkouts, quarantine }: Layout): Promise<readonly string[]> {
  const found = await Promise.all(
    [checkouts, quarantine].map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      // What is said of a checkout in quarantine lies beside it.
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
    }),
  );
  return found.flat();
}
