/** The smallest data plane: one slot for one step of one number, no gradients. Tests say what they need beside. */
import type { DataPlaneSpec } from "../../../src/runtime/workers/DataPlaneSpec.ts"

export const smallestPlane: DataPlaneSpec = {
  slots: 1,
  steps: 1,
  inputs: 1,
  actions: 2,
  actionWidth: 1,
  continuous: false,
  masks: 0,
  memory: 0,
  stateSize: 1,
  parameters: 1,
  normalization: { observations: false, rewards: false },
  descriptorBytes: 16,
  workers: 1,
  workspaceBytes: 16,
  activationBytes: 0,
  stretch: 0,
  replicaBytes: 0,
  unit: 1,
  pulled: 0,
  gradient: 0
}
