export const SHELLS = ['bash', 'zsh', 'fish', 'pwsh'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * What a shell has to load. Each script asks `strongroom __complete` for the words that fit, one a line, with what it
 * is after a tab. So a script stays as it is when commands are added.
 */
export const SCRIPTS: Record<Shell, string> = {
  bash: `# To load it: source <(strongroom completion bash)
_strongroom() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ -n $line ]] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(strongroom __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _strongroom strongroom
`,
  zsh: `#compdef strongroom
# To load it: source <(strongroom completion zsh), after compinit
_strongroom() {
  local line
  local -a described
  for line in "\${(@f)$(strongroom __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#described )); then
    _describe -V 'strongroom' described
  else
    _files
  fi
}
compdef _strongroom strongroom
`,
  fish: `# To load it: strongroom completion fish | source
function __strongroom_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (strongroom __complete -- $words[2..-1] "$current" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c strongroom -f -a '(__strongroom_complete)'
`,
  pwsh: `# To load it: strongroom completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName strongroom -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.StartOffset -lt $position } | ForEach-Object { $_.ToString() })
  # An empty argument does not reach a program in every version.
  $next = if ($word -eq '') { '--next' } else { '--last' }
  strongroom __complete $next -- @words 2>$null | ForEach-Object {
    $value, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
  }
}
`,
};
