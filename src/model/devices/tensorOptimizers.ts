/** The optimizers of `optimizers.ts`, on whole vectors of the device. */
import type * as tfjs from "@tensorflow/tfjs-core"
import type { OptimizerSpec, OptimizerState } from "../optimizers.ts"

type Vector = tfjs.Tensor1D

/** What a model keeps between two updates: the parameters, and what the optimizer remembers, by name. */
export type Remembered = { readonly parameters: Vector; readonly [name: string]: Vector }

/** The same with the single numbers that the optimizer remembers, which are the host's. */
export interface Remembering {
  readonly arrays: Remembered
  readonly scalars: OptimizerState["scalars"]
}

/** One step by `gradient * scale`: what is kept after it. `number` keeps a number on the device under a name. */
export const tensorStep = (
  tf: typeof tfjs,
  number: (name: string, value: number) => tfjs.Scalar,
  optimizer: OptimizerSpec,
  { arrays: now, scalars }: Remembering,
  { gradient, learningRate, scale }: {
    readonly gradient: Vector
    readonly scale: number
    readonly learningRate: number
  }
): Remembering => {
  const g = scale === 1 ? gradient : tf.mul<Vector>(gradient, number("gradientScale", scale))
  const epsilon = number("epsilon", optimizer.epsilon)
  /** The running mean of the squared gradient. */
  const squares = (kept: number) =>
    tf.add<Vector>(
      tf.mul(now["square"]!, number("kept", kept)),
      tf.mul(tf.square(g), number("added", 1 - kept))
    )
  switch (optimizer.kind) {
    case "rmsprop": {
      const square = squares(optimizer.alpha)
      const root = optimizer.epsilonPlacement === "inside"
        ? tf.sqrt(tf.add(square, epsilon))
        : tf.add(tf.sqrt(square), epsilon)
      const parameters = tf.sub<Vector>(now.parameters, tf.mul(tf.div(g, root), number("rate", learningRate)))
      return { arrays: { parameters, square }, scalars }
    }
    case "adam": {
      const { beta1, beta2 } = optimizer
      const beta1Product = scalars["beta1Product"]! * beta1
      const beta2Product = scalars["beta2Product"]! * beta2
      const mean = tf.add<Vector>(
        now["mean"]!,
        tf.mul(tf.sub(g, now["mean"]!), number("meanAdded", 1 - beta1))
      )
      const square = squares(beta2)
      const root = tf.add(tf.div(tf.sqrt(square), number("correction", Math.sqrt(1 - beta2Product))), epsilon)
      const change = tf.mul(tf.div(mean, root), number("rate", learningRate / (1 - beta1Product)))
      return {
        arrays: { parameters: tf.sub<Vector>(now.parameters, change), mean, square },
        scalars: { beta1Product, beta2Product }
      }
    }
  }
}
