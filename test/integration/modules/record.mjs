/** Preloaded into a process: writes the address of each module that is loaded to the file that BOSUN_LOADED names. */
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(process.env.BOSUN_LOADED, `${url}\n`);
    return nextLoad(url, context);
  },
});
