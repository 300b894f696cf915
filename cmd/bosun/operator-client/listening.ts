import { connect } from "node:net";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** Whether an operator listens at the workspace's socket. */
export function isOperatorListening({ socket }: WorkspaceFolder): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socketPath(socket));
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
