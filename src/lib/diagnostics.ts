/** Where something stands in a file. Lines and columns count from 1; a column is a UTF-16 unit, a TAB is one. */
export interface Span {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length: number
}

export type Severity = 'error' | 'warning'

/** The closed set of things that can be wrong with a configuration. */
export type DiagnosticCode =
  | 'file' // cannot be read
  | 'unknown-directive'
  | 'misplaced' // a known directive where it is not accepted
  | 'indentation'
  | 'value' // the value is not of the directive's form
  | 'range' // of the right form, outside the limits
  | 'address' // host, port or family
  | 'resolve' // a name without an address at this moment
  | 'duplicate'
  | 'pattern' // a receive pattern that does not compile
  | 'deprecated'
  | 'not-acted-on' // understood and stored, without effect yet
  | 'misread' // loads in Perl ldirectord, but not as it reads
  | 'no-effect' // loads, and can have no effect here
  | 'advice'

/** One fault or remark, with the place it concerns. Never thrown. */
export interface Diagnostic {
  readonly severity: Severity
  readonly code: DiagnosticCode
  readonly message: string
  readonly at: Span
  readonly hint?: string
}

/** The only way to make a diagnostic: whoever reports has the position at hand. */
export interface Reporter {
  error(code: DiagnosticCode, message: string, at: Span, hint?: string): void
  warn(code: DiagnosticCode, message: string, at: Span, hint?: string): void
}

/** A reporter that collects, in the order of reporting. */
export function collectDiagnostics(): Reporter & { readonly diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const add = (severity: Severity, code: DiagnosticCode, message: string, at: Span, hint?: string): void => {
    diagnostics.push(hint === undefined ? { severity, code, message, at } : { severity, code, message, at, hint })
  }
  return {
    diagnostics,
    error: (code, message, at, hint) => add('error', code, message, at, hint),
    warn: (code, message, at, hint) => add('warning', code, message, at, hint),
  }
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error')
}
