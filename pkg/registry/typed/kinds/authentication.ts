/** `authentication.k8s.io/v1`: who asks; answered and never stored. */
import { list, map, omitempty, string, struct } from "../types.ts";
import { objectMeta } from "./meta.ts";

const userInfo = struct("UserInfo", {
  username: omitempty(1, string),
  uid: omitempty(2, string),
  groups: omitempty(3, list(string)),
  extra: omitempty(4, map(list(string))),
});

export const selfSubjectReview = struct("SelfSubjectReview", {
  metadata: omitempty(1, objectMeta),
  status: omitempty(2, struct("SelfSubjectReviewStatus", { userInfo: omitempty(1, userInfo) })),
});
