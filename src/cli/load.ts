import { findConfig } from '../config/find.ts'
import type { Load } from '../config/load.ts'
import type { Config } from '../config/model.ts'
import { hasErrors } from '../lib/diagnostics.ts'
import { printable } from '../lib/printable.ts'
import { renderDiagnostic } from '../lib/render-diagnostic.ts'
import type { CliContext } from './context.ts'

/** Finds and reads the config for a one-shot verb; its diagnostics go to standard error. Undefined: exit 2. */
export async function loadForVerb(
  context: CliContext,
  name: string | undefined,
): Promise<(Load & { readonly config: Config }) | undefined> {
  const file = findConfig(name)
  if (file === undefined) {
    context.err(`Config file ${printable(name ?? 'ldirectord.cf')} not found\n`)
    return undefined
  }
  const loaded = await context.load(file)
  for (const diagnostic of loaded.diagnostics) context.err(`${renderDiagnostic(diagnostic, loaded.text)}\n`)
  const { config } = loaded
  if (config === undefined || hasErrors(loaded.diagnostics)) return undefined
  return { ...loaded, config }
}
