import { DEFAULT_CONFIG, findConfig } from '../config/find.ts'
import type { Config, LoadResult } from '../config/model.ts'
import { hasErrors } from '../lib/diagnostics.ts'
import { printable } from '../lib/printable.ts'
import { renderDiagnostic } from '../lib/render-diagnostic.ts'
import type { ProcessPorts } from './process-ports.ts'

/** Exit codes of Perl ldirectord (behaviour reference 1.5). */
export const perlExit = { ok: 0, failed: 1, configError: 2, stopped: 3, usage: 255 } as const

/** The file a name stands for; when there is none, that is said and the answer is undefined (exit 1). */
export function locate(ports: Pick<ProcessPorts, 'err'>, name: string | undefined): string | undefined {
  const file = findConfig(name)
  if (file === undefined) ports.err(`Config file ${printable(name ?? DEFAULT_CONFIG)} not found\n`)
  return file
}

export type ReadConfig<Result> = Result & { readonly config: Config }

/** The file without errors, its warnings on standard error; or the exit code when it has errors, all of them told. */
export async function readConfig<Result extends LoadResult>(
  ports: Pick<ProcessPorts<Result>, 'err' | 'load'>,
  file: string,
): Promise<ReadConfig<Result> | number> {
  const result = await ports.load(file)
  for (const diagnostic of result.diagnostics) ports.err(`${renderDiagnostic(diagnostic, result.text)}\n`)
  const { config } = result
  if (config === undefined || hasErrors(result.diagnostics)) return perlExit.configError
  return { ...result, config }
}
