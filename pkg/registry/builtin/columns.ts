import type { TableColumn } from "../resource.ts";
import { creationTimestampDescription, nameDescription } from "../typed/kinds/meta.ts";

export function column(name: string, description: string, options: Partial<TableColumn> = {}): TableColumn {
  return { name, type: "string", format: "", description, priority: 0, ...options };
}

export const nameColumn = column("Name", nameDescription, { format: "name" });
export const ageColumn = column("Age", creationTimestampDescription);
