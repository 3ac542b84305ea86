# Installs this bundle without a network.
#
#     powershell -ExecutionPolicy Bypass -File install.ps1                 into the active virtual environment
#     powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT     into that one, which is made if need be
#     powershell -ExecutionPolicy Bypass -File install.ps1 -For TOOL       by uv, poetry, pdm or pipenv, in the folder
#                                                                          of the project whose lock was bundled
#
# $env:PYTHON names the interpreter (python, else py), $env:TARGET the target where markers cannot tell, and
# $env:PREFETCH_PUBLIC_KEY the minisign key by which the bundle must be signed.
param([string]$Environment = $env:VIRTUAL_ENV, [switch]$Help, [string]$For = 'pip')

$ErrorActionPreference = 'Stop'
# The exit codes of programs are looked at below, and need no error of their own (PowerShell 7.4).
$PSNativeCommandUseErrorActionPreference = $false

function Fail([string]$Message) {
    try { $Host.UI.WriteErrorLine("install.ps1: $Message") }
    # Where policies constrain the language, no method may be called.
    catch { Write-Error "install.ps1: $Message" -ErrorAction Continue }
    exit 1
}

function Test-Program([string]$Name) {
    return [bool](Get-Command $Name -ErrorAction SilentlyContinue)
}

# Where a program is: by its name alone, Windows would look into the current folder first.
function Get-Path([string]$Name) {
    return @(Get-Command $Name)[0].Definition
}

# What a program writes to standard error is for the reader. Under 'Stop', where that is redirected
# (`install.ps1 *> log`), its first line would end this script before PowerShell 7.2.
function Invoke-Program {
    $ErrorActionPreference = 'Continue'
    $Program, $Arguments = $args
    try { & $Program @Arguments }
    catch {
        Write-Error "$Program does not start: $_"
        $global:LASTEXITCODE = 126
    }
}

# The interpreter that makes environments.
function Find-Base {
    if ($env:PYTHON) {
        if (Test-Program $env:PYTHON) { return Get-Path $env:PYTHON }
        Fail "there is no $env:PYTHON; name an interpreter in the variable PYTHON"
    }
    foreach ($Name in 'python', 'py', 'python3') {
        if (Test-Program $Name) {
            # Windows has a python that only tells of its shop.
            Invoke-Program $Name -I -c 'import venv' *> $null
            if ($LASTEXITCODE -eq 0) { return Get-Path $Name }
        }
    }
    Fail 'there is no python; name an interpreter in the variable PYTHON'
}

# The interpreter of the environment, if that is there.
function Find-Python {
    foreach ($Name in 'Scripts\python.exe', 'bin\python.exe', 'bin\python') {
        $Path = Join-Path $Environment $Name
        # In a relative path, & takes brackets for a pattern.
        if (Test-Path -LiteralPath $Path) { return Convert-Path -LiteralPath $Path }
    }
}

# Whether the environment may have come with a bundle: its Python is then no judge of it. Of one folder there
# are several names (junctions, subst, short names), so a bundle is known by what lies in it.
function Test-Doubtful {
    if (-not (Test-Path -LiteralPath $Environment)) { return $false }
    $Place = Convert-Path -LiteralPath $Environment
    if ($env:VIRTUAL_ENV -and (Test-Path -LiteralPath $env:VIRTUAL_ENV)) {
        if ((Convert-Path -LiteralPath $env:VIRTUAL_ENV) -eq $Place) { return $false }
    }
    while ($Place) {
        if (Test-Path -LiteralPath (Join-Path $Place 'prefetch.json')) { return $true }
        $Place = Split-Path -Parent $Place
    }
    return $false
}

$Words = @($Environment) + $args
if ($Help -or @($Words -match '^([-/]\?|--help)$').Count) {
    foreach ($Line in Get-Content -LiteralPath $MyInvocation.MyCommand.Path) {
        if ($Line -notlike '#*') { exit 0 }
        $Line -replace '^# ?'
    }
}
$Unknown = @($args) + @(@($Environment) -like '-*')
if ($Unknown.Count) { Fail "$($Unknown[0]) is not understood; see install.ps1 -Help" }

$Here = Convert-Path -LiteralPath (Split-Path -Parent $MyInvocation.MyCommand.Path)

$Minisign = '-'
if ($env:PREFETCH_PUBLIC_KEY) {
    if (-not (Test-Program 'minisign')) { Fail 'PREFETCH_PUBLIC_KEY is set, and there is no minisign to check it' }
    $Minisign = Get-Path 'minisign'
}
if ($For -ne 'pip') {
    $Environment = '.venv'
    if ("$(Convert-Path -LiteralPath .)" -eq $Here) {
        Fail 'go into the folder of the project, outside of the bundle, and call this from there'
    }
}
if (-not $Environment) { Fail 'name the virtual environment to install into, or activate one' }
# Programs do not know what ~ is, and take a backslash before the closing quote for an escape.
if ($Environment -match '^~[\\/](.+)$') { $Environment = Join-Path $HOME $Matches[1] }
$Environment = $Environment -replace '(?<=[^:\\/])[\\/]+$'
if (Test-Doubtful) {
    Fail "$Environment is there already, inside a bundle, and may have come with it; activate it if it is yours, or name another"
}
if ($For -eq 'pip') { $Python = Find-Python }
$Whose = "the Python of $Environment"
if (-not $Python) {
    $Python = Find-Base
    $Whose = $Python
}

# Nothing that lies in this folder may be imported. A Python before 3.4 knows no -I.
$Isolated = '-I'
Invoke-Program $Python -I -c pass *> $null
if ($LASTEXITCODE -ne 0) { $Isolated = '-Es' }
Invoke-Program $Python $Isolated -c pass
if ($LASTEXITCODE -ne 0) { Fail "$Whose does not run" }
$Install = @'
@PROGRAM@'@
Invoke-Program $Python $Isolated -c $Install install.ps1 $Here $Environment $Python $For $Minisign
exit $LASTEXITCODE
