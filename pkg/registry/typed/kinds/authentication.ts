/** `authentication.k8s.io/v1`: reviews, which are answered and never stored. */
import { bool, list, map, omitempty, string, struct } from "../types.ts";
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

export const tokenReview = struct("TokenReview", {
  metadata: omitempty(1, objectMeta),
  spec: omitempty(
    2,
    struct("TokenReviewSpec", { token: omitempty(1, string), audiences: omitempty(2, list(string)) }),
  ),
  status: omitempty(
    3,
    struct("TokenReviewStatus", {
      authenticated: omitempty(1, bool),
      user: omitempty(2, userInfo),
      audiences: omitempty(4, list(string)),
      error: omitempty(3, string),
    }),
  ),
});
