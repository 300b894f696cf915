/** k3s by testcontainers, where there is an engine for containers and the image can be had. */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";

export interface StartedK3s {
  close(): Promise<void>;
}

const folder = path.join(import.meta.dirname, "k3s");
/** Where engines listen that set no `DOCKER_HOST`. */
const sockets = [
  "/var/run/docker.sock",
  "/run/podman/podman.sock",
  `${process.env.XDG_RUNTIME_DIR}/docker.sock`,
  `${process.env.XDG_RUNTIME_DIR}/podman/podman.sock`,
  `${process.env.HOME}/.docker/run/docker.sock`,
];

/** Starts k3s and writes its kubeconfig to `file`; gives a reason, in words, where that can't be done here. */
export async function startK3s(image: string, file: string): Promise<StartedK3s | string> {
  if (process.env.DOCKER_HOST === undefined && !sockets.some(existsSync))
    return "no engine for containers runs here (Docker or Podman)";
  // Fifty megabytes of packages that only this needs.
  if (!existsSync(path.join(folder, "node_modules")))
    execFileSync("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  const child = fork(path.join(folder, "main.mjs"), [image, file]);
  const ended = once(child, "exit");
  const isReady = await Promise.race([once(child, "message").then(() => true), ended.then(() => false)]);
  if (!isReady) return `${image} could not be started; the messages above say why`;
  return {
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
