import { DEFAULT_CONFIG, findConfig } from '../config/find.ts'
import type { LoadResult } from '../config/model.ts'
import { printConfig } from '../config/print.ts'
import { type Diagnostic, hasErrors } from '../lib/diagnostics.ts'
import { printable } from '../lib/printable.ts'
import { renderDiagnostic, summariseDiagnostics } from '../lib/render-diagnostic.ts'
import type { ProcessPorts } from './process-ports.ts'

type ValidatePorts = Pick<ProcessPorts, 'out' | 'err' | 'load'>

export interface ValidateOptions {
  readonly config: string | undefined
  readonly json: boolean
  readonly print: boolean
}

/** `validate`: the diagnostics on standard output (with `--print` on standard error). Exit 0 without errors, 2 with. */
export async function validate(ports: ValidatePorts, options: ValidateOptions): Promise<number> {
  const file = findConfig(options.config)
  const result = file === undefined ? notFound(options.config ?? DEFAULT_CONFIG) : await ports.load(file)
  const path = file ?? options.config ?? DEFAULT_CONFIG
  if (options.json) ports.out(`${JSON.stringify(reportOf(path, result.diagnostics), null, 2)}\n`)
  else {
    const tell = options.print ? ports.err : ports.out
    for (const diagnostic of result.diagnostics) tell(`${renderDiagnostic(diagnostic, result.text)}\n`)
    tell(`${printable(path)}: ${summaryOf(result)}\n`)
    if (options.print && result.config !== undefined) ports.out(printConfig(result.config))
  }
  return hasErrors(result.diagnostics) ? 2 : 0
}

/** The stable form of `--json`. */
interface Report {
  readonly file: string
  readonly errors: number
  readonly warnings: number
  readonly diagnostics: readonly {
    readonly severity: string
    readonly code: string
    readonly message: string
    readonly file: string
    readonly line: number
    readonly column: number
    readonly length: number
    readonly hint: string | null
  }[]
}

function reportOf(file: string, diagnostics: readonly Diagnostic[]): Report {
  const errors = diagnostics.filter((d) => d.severity === 'error').length
  return {
    file,
    errors,
    warnings: diagnostics.length - errors,
    diagnostics: diagnostics.map(({ severity, code, message, at, hint }) => {
      const { file: inFile, line, column, length } = at
      return { severity, code, message, file: inFile, line, column, length, hint: hint ?? null }
    }),
  }
}

function summaryOf({ config, diagnostics }: LoadResult): string {
  const faults = summariseDiagnostics(diagnostics) ?? 'no faults'
  if (config === undefined) return faults
  const reals = config.virtuals.reduce((count, virtual) => count + virtual.reals.length, 0)
  return `${faults}; virtual services ${config.virtuals.length}, real servers ${reals}`
}

function notFound(name: string): LoadResult {
  const at = { file: name, line: 1, column: 1, length: 1 }
  const message = `Config file ${name} not found`
  return { config: undefined, text: '', diagnostics: [{ severity: 'error', code: 'file', message, at }] }
}
