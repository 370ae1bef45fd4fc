/** Elements of the page, made and kept: what is shown anew keeps its elements, and so the focus and what was unfolded. */

export const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no ${id}.`)
  return found
}

/** The first element that a selector finds, which is of that kind. */
export const within = <T extends Element>(at: ParentNode, selector: string, kind: new() => T): T => {
  const found = at.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`)
  return found
}

export const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  about: { readonly class?: string; readonly text?: string } = {},
  ...children: ReadonlyArray<Node>
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag)
  if (about.class !== undefined) made.className = about.class
  if (about.text !== undefined) made.textContent = about.text
  made.append(...children)
  return made
}

/** Writes text only where it is another: nothing is laid out anew, and nothing read aloud again. */
export const write = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

const keys = new WeakMap<Element, string>()

/** Makes the children of an element those of the items, in their order; the child of a key stays the same. */
export const keep = <T, E extends HTMLElement>(
  parent: HTMLElement,
  items: ReadonlyArray<T>,
  { create, key, update }: {
    readonly key: (item: T) => string
    readonly create: (item: T) => E
    readonly update: (child: E, item: T) => void
  }
): void => {
  const old = new Map<string, E>()
  for (const child of Array.from(parent.children)) old.set(keys.get(child) ?? "", child as E)
  let at: Element | null = parent.firstElementChild
  for (const item of items) {
    const name = key(item)
    let child = old.get(name)
    if (child === undefined) {
      child = create(item)
      keys.set(child, name)
    }
    old.delete(name)
    if (child === at) at = at.nextElementSibling
    else parent.insertBefore(child, at)
    update(child, item)
  }
  for (const child of old.values()) child.remove()
}

/** Numbers for people: 1234567 as 1.23M, 0.000123 as 1.23e-4. */
export const short = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return "-"
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) return value.toExponential(2)
  const [divisor, suffix] = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""]
  return `${Number((value / divisor).toPrecision(4))}${suffix}`
}

const two = (value: number): string => String(value).padStart(2, "0")

/** A stretch of time: 4 ms, 12.3 s, 4:05, 1:02:33. */
export const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const total = Math.round(seconds)
  const hours = Math.floor(total / 3600)
  const rest = `${hours > 0 ? two(Math.floor(total / 60) % 60) : Math.floor(total / 60)}:${two(total % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}
