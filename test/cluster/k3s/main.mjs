/** k3s in a container: `node main.mjs IMAGE FILE`. Writes its kubeconfig to FILE; ends when its parent does. */
import { writeFileSync } from "node:fs";
import { K3sContainer } from "@testcontainers/k3s";

const [, , image, file] = process.argv;
const container = await new K3sContainer(image).start();
writeFileSync(file, container.getKubeConfig(), { mode: 0o600 });
process.on("disconnect", async () => {
  await container.stop();
  process.exit();
});
process.send("ready");
