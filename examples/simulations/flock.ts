/**
 * Boids (Reynolds 1987): birds that keep with those they see, fly where these fly, and do not come too near. Each decides by
 * what there is, then all move at once.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

export default Simulation.make("Flock", {
  module: import.meta.url,
  config: Schema.Struct({ birds: Schema.Int, sight: Schema.Finite, distance: Schema.Finite }),
  defaults: { birds: 100, sight: 10, distance: 2 },
  until: 150
}, (sim, { birds, distance, sight }) => {
  const sky = sim.space("sky", { width: 50, height: 50, torus: true, usualRadius: sight })
  const Bird = Simulation.agent("Bird", {
    state: Schema.Struct({ vx: Schema.Finite, vy: Schema.Finite, nextX: Schema.Finite, nextY: Schema.Finite }),
    on: {
      Step: (self, _, sim) => {
        let [x, y] = [self.vx, self.vy]
        const others = sky.neighbors(sim.self, sight)
        for (const other of others) {
          const way = sky.heading(sim.self, other)
          const { vx, vy } = sim.state(Flown, other)
          const near = sky.distance(sim.self, other) < distance ? 0.15 : 0
          x += (0.03 * way.x + 0.5 * vx) / others.length - near * way.x
          y += (0.03 * way.y + 0.5 * vy) / others.length - near * way.y
        }
        const speed = Math.sqrt(x * x + y * y) || 1
        self.nextX = x / speed
        self.nextY = y / speed
      },
      Move: (self, _, sim) => {
        self.vx = self.nextX
        self.vy = self.nextY
        sky.move(sim.self, self.vx, self.vy)
      }
    }
  })
  const Flown: Simulation.Agent<{ vx: number; vy: number }, unknown> = Bird
  for (let i = 0; i < birds; i++) {
    const [x, y] = [sim.random.normal(), sim.random.normal()]
    const speed = Math.sqrt(x * x + y * y)
    const bird = sim.spawn(Bird, { vx: x / speed, vy: y / speed, nextX: 0, nextY: 0 })
    sky.place(bird, sim.random.uniform(0, 50), sim.random.uniform(0, 50))
  }
  sim.schedule("Beat", { activate: [Bird], advance: "Move" })
  /** 1 when all fly one way, about 0 when each flies its own. */
  sim.collect("order", () => {
    const all = sim.agents(Bird).map((bird) => sim.state(Bird, bird))
    const x = all.reduce((sum, { vx }) => sum + vx, 0)
    const y = all.reduce((sum, { vy }) => sum + vy, 0)
    return Math.sqrt(x * x + y * y) / all.length
  })
})
