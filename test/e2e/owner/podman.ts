/** Containers of podman, with the machine's own programs in them: an image can't be had everywhere. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const image = "bosun-e2e";
/** Programs and what they need, as the machine has them. The rest of a container is its own. */
const shared = ["/bin", "/lib", "/lib64", "/usr", "/etc", "/opt", "/root"];

/** The words before a command that run it in a new container, in which only the temporary folder is common. */
export function podmanContainer(): readonly string[] {
  execFileSync("podman", ["build", "--quiet", "--tag", image, "-"], { input: "FROM scratch\n" });
  const root = path.resolve(import.meta.dirname, "../../..");
  const node = path.dirname(process.execPath);
  const folders = [...shared, root, node, tmpdir()].filter((folder) => existsSync(folder));
  const mounts = [...new Set(folders)].flatMap((folder) => ["--volume", `${folder}:${folder}`]);
  // Their network is the machine's, so that one gateway serves all; their processes, hosts and IPC are their own.
  const options = ["--rm", "--privileged", "--network", "host", "--env-host", "--label", image];
  return ["podman", "run", ...options, ...mounts, "--workdir", "/", image];
}

/** Takes every container away that was made here. */
export function removePodmanContainers(): void {
  const ids = execFileSync("podman", ["ps", "--all", "--quiet", "--filter", `label=${image}`], {
    encoding: "utf8",
  });
  for (const id of ids.split("\n").filter((line) => line !== ""))
    execFileSync("podman", ["rm", "--force", "--time", "0", id], { stdio: "ignore" });
}
