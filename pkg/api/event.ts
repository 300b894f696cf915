/** The parts of Kubernetes' `core/v1` Event that Bosun reads and writes. */
import type { ObjectMeta } from "./meta.ts";

/** What an Event is about. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
  /** The part of the object that is meant, for instance `spec.replicas`. */
  fieldPath?: string;
}

/** Something that happened to an object, for people. */
export interface Event {
  apiVersion: "v1";
  kind: "Event";
  metadata: ObjectMeta;
  involvedObject: ObjectReference;
  type: "Normal" | "Warning";
  /** One CamelCase word: the reason of the condition it explains, where there is one. */
  reason: string;
  /** A sentence, at most 1024 characters. */
  message: string;
  source?: { component?: string; host?: string };
  /** How often it has been seen; 1 or more. */
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  /** What is said instead of count and last timestamp by who writes by way of `events.k8s.io`. */
  series?: { count?: number; lastObservedTime?: string };
  reportingComponent?: string;
  reportingInstance?: string;
}
