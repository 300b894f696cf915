import type { Failpoints } from "../runtime/failpoints.ts";

/**
 * Failpoints that end this process by SIGKILL, for crash tests.
 *
 * @param setting - the environment's BOSUN_FAILPOINT: `name` or `name:n`, n counting hits from 1; undefined: never
 * @throws RangeError when n is not a positive integer
 */
export function systemFailpoints(setting = process.env.BOSUN_FAILPOINT): Failpoints {
  const [name, count = "1"] = (setting ?? "").split(":");
  let left = Number(count);
  if (!Number.isInteger(left) || left < 1)
    throw new RangeError(`BOSUN_FAILPOINT must be \`name\` or \`name:n\` with n from 1, not \`${setting}\``);
  return {
    hit(passed) {
      if (passed !== name) return;
      left -= 1;
      if (left > 0) return;
      process.stderr.write(`Failpoint ${name}: this process ends by SIGKILL\n`);
      process.kill(process.pid, "SIGKILL");
    },
  };
}
