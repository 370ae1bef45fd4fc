/**
 * The page that the Hugging Face hub shows of a policy: what it was trained in and with, what it came to, and the hash that two
 * people compare. The head is what the hub reads (https://huggingface.co/docs/hub/model-cards).
 */
import { plainLine } from "../../text/plainLine.ts"

export interface CardFacts {
  readonly envId: string
  readonly algo: string
  readonly seed: number
  readonly weightsSha256: string
  /** Environment steps that it was trained for, and the mean return of its last evaluation; null where nobody knows. */
  readonly steps: number | null
  readonly evaluation: number | null
  /** Settings, by the names of their flags. */
  readonly settings: ReadonlyArray<readonly [flag: string, value: string]>
  /** The picture, where there is one. */
  readonly picture: string | undefined
}

/** Text as a YAML string: JSON's are. */
const quoted = (text: string): string => JSON.stringify(plainLine(text, 200))

/** Text in a cell of a table. */
const cell = (text: string): string => plainLine(text, 200).replaceAll(/[\\|`<>*_[\]]/g, (mark) => `\\${mark}`)

const table = (head: readonly [string, string], rows: ReadonlyArray<readonly [string, string]>): string =>
  [head, ["---", "---"] as const, ...rows.map(([name, value]) => [cell(name), cell(value)] as const)]
    .map(([name, value]) => `| ${name} | ${value} |`).join("\n")

export const modelCard = (
  { algo, envId, evaluation, picture, seed, settings, steps, weightsSha256 }: CardFacts
): string => {
  const title = `${algo} on ${envId}`
  const results = evaluation === null ? [] : [
    "model-index:",
    `- name: ${quoted(title)}`,
    "  results:",
    "  - task:",
    "      type: reinforcement-learning",
    "      name: reinforcement-learning",
    "    dataset:",
    `      name: ${quoted(envId)}`,
    `      type: ${quoted(envId)}`,
    "    metrics:",
    "    - type: mean_reward",
    `      value: ${evaluation}`,
    "      name: mean_reward",
    "      verified: false"
  ]
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["environment", envId],
    ["algorithm", algo],
    ["seed", String(seed)],
    ...(steps === null ? [] : [["environment steps", String(steps)] as const]),
    ...(evaluation === null ? [] : [["mean return of the last greedy evaluation", String(evaluation)] as const]),
    ["weights_sha256", weightsSha256]
  ]
  return [
    "---",
    "library_name: troupe",
    "tags:",
    "- reinforcement-learning",
    "- deep-reinforcement-learning",
    `- ${quoted(envId)}`,
    ...results,
    "---",
    "",
    `# ${cell(title)}`,
    "",
    "A policy trained by Troupe. The same settings and seed give the same weights, to the last bit.",
    "",
    table(["", "what it is"], facts),
    ...(picture === undefined ? [] : ["", `![Episode returns and their smoothed curve](${picture})`]),
    "",
    "It is played with `npm start -- eval policy.safetensors`; any safetensors library reads the weights.",
    "",
    "## Settings",
    "",
    table(["setting", "value"], settings),
    ""
  ].join("\n")
}
