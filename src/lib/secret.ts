import { inspect } from 'node:util'

/** A password or the like: whatever prints, logs or serialises it shows `(hidden)`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#value
  }

  get isEmpty(): boolean {
    return this.#value === ''
  }

  toString(): string {
    return '(hidden)'
  }

  toJSON(): string {
    return '(hidden)'
  }

  [inspect.custom](): string {
    return '(hidden)'
  }
}
