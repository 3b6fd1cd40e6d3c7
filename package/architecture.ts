/** Node's names of the machines that `netlink` brings a compiled addon for and Debian has a Node for. */
export const architectures = ['x64', 'arm64'] as const
export type Architecture = (typeof architectures)[number]

export function isArchitecture(word: string): word is Architecture {
  return architectures.some((each) => each === word)
}

interface Names {
  /** Debian's name. */
  readonly debian: string
  /** What binutils calls its programs for it. */
  readonly gnu: string
}

export const namesOf: Readonly<Record<Architecture, Names>> = {
  x64: { debian: 'amd64', gnu: 'x86_64-linux-gnu' },
  arm64: { debian: 'arm64', gnu: 'aarch64-linux-gnu' },
}
