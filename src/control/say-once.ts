/** Keeps a lasting trouble from filling the log: each text is told when it begins, and again only after it was gone. */
export interface SayOnce {
  /** The texts among these that were not there the last time. */
  fresh(texts: readonly string[]): readonly string[]
  /** Nothing is wrong now; true when something was. */
  clear(): boolean
}

export function createSayOnce(): SayOnce {
  let said = new Set<string>()
  return {
    fresh: (texts) => {
      const fresh = [...new Set(texts)].filter((text) => !said.has(text))
      said = new Set(texts)
      return fresh
    },
    clear: () => {
      const had = said.size > 0
      said = new Set()
      return had
    },
  }
}
