/** Two small kinds for tests: one with all that a registry does for a kind, one to own and be owned. */
import { parse } from "yaml";

export const widgetCrd: unknown = parse(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.test.example
spec:
  group: test.example
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    selectableFields:
    - jsonPath: .spec.color
    - jsonPath: .spec.size
    - jsonPath: .spec.code
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            default: {}
            x-kubernetes-validations:
            - {rule: "!has(self.low) || !has(self.high) || self.low <= self.high", message: low may not exceed high}
            properties:
              color: {type: string, enum: [red, green, blue], default: red}
              size: {type: integer, minimum: 1, maximum: 100, default: 5}
              replicas: {type: integer, minimum: 0, maximum: 10, default: 1}
              low: {type: integer}
              high: {type: integer}
              code: {type: string, pattern: '^[a-z]{2}-[0-9]+$'}
              serial:
                type: string
                x-kubernetes-validations:
                - {rule: self == oldSelf, message: serial is immutable}
              words:
                type: array
                maxItems: 100
                items: {type: string, maxLength: 100}
                x-kubernetes-validations:
                - {rule: "self.all(word, word.matches('^(a+)+$'))", message: words are of the letter a}
              tags:
                type: array
                maxItems: 5
                x-kubernetes-list-type: set
                items: {type: string}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    quantity: {type: integer, default: 1}
              note: {type: string, nullable: true}
              port: {x-kubernetes-int-or-string: true}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status:
            type: object
            properties:
              phase: {type: string, default: Pending}
              replicas: {type: integer}
`);

const gizmoCrd: unknown = parse(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gizmos.test.example
spec:
  group: test.example
  scope: Namespaced
  names: {plural: gizmos, singular: gizmo, kind: Gizmo}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {text: {type: string}}
`);

export const testCrds: readonly unknown[] = [widgetCrd, gizmoCrd];
