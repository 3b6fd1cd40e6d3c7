import type { Program } from './programs.ts'

export type PerProgram<T> = Partial<Record<Program, T>>

/** What the lab found out; samples, so that the median is taken in one place. */
export interface LabResults {
  readonly missing: readonly Program[]
  readonly versions: PerProgram<string>
  readonly kernel: string
  readonly detectionMs: PerProgram<number[]>
  readonly cpuPerThousand: { readonly http: PerProgram<Effort>; readonly connect: PerProgram<Effort> }
  readonly startMs: PerProgram<number[]>
  readonly reloadMs: PerProgram<number[]>
  readonly pssKib: PerProgram<number>
}

export interface Effort {
  readonly probes: number
  readonly cpuSeconds: number
}

export interface NativeResults {
  readonly probesPerCpuSecond: { readonly http: number; readonly connect: number }
  readonly atRest: {
    readonly reals: number
    readonly probesPerSecond: number
    readonly cpuPercent: number
    readonly rssKib: number
  }
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (low + high) / 2
}
