# Installs this bundle without a network.
#
#     powershell -ExecutionPolicy Bypass -File install.ps1                 into the active virtual environment
#     powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT     into that one, which is made if need be
#
# $env:PYTHON names the interpreter (python, else py), $env:TARGET the target where markers cannot tell, and
# $env:PREFETCH_PUBLIC_KEY the minisign key by which the bundle must be signed.
param([string]$Environment = $env:VIRTUAL_ENV, [switch]$Help)

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
        if (Test-Program $env:PYTHON) { return $env:PYTHON }
        Fail "there is no $env:PYTHON; name an interpreter in the variable PYTHON"
    }
    foreach ($Name in 'python', 'py', 'python3') {
        if (Test-Program $Name) {
            # Windows has a python that only tells of its shop.
            Invoke-Program $Name -c 'import venv' *> $null
            if ($LASTEXITCODE -eq 0) { return $Name }
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

$Words = @($Environment) + $args
if ($Help -or @($Words -match '^([-/]\?|--help)$').Count) {
    foreach ($Line in Get-Content -LiteralPath $MyInvocation.MyCommand.Path) {
        if ($Line -notlike '#*') { exit 0 }
        $Line -replace '^# ?'
    }
}
$Unknown = @($args) + @(@($Environment) -like '-*')
if ($Unknown.Count) { Fail "$($Unknown[0]) is not understood; see install.ps1 -Help" }

$Here = Split-Path -Parent $MyInvocation.MyCommand.Path

$Agrees = @'
@AGREES@'@
if ($env:PREFETCH_PUBLIC_KEY) {
    if (-not (Test-Program 'minisign')) { Fail 'PREFETCH_PUBLIC_KEY is set, and there is no minisign to check it' }
    Invoke-Program minisign -Vqm (Join-Path $Here 'prefetch.json') -P $env:PREFETCH_PUBLIC_KEY
    if ($LASTEXITCODE -ne 0) {
        Fail 'the bundle is not signed by the key in PREFETCH_PUBLIC_KEY; do not install it'
    }
    $Base = Find-Base
    Invoke-Program $Base -c $Agrees $Here
    if ($LASTEXITCODE -ne 0) {
        Fail 'SHA256SUMS was altered: it does not list what the signed manifest says; do not install it'
    }
}

$Sums = Join-Path $Here 'SHA256SUMS'
if (-not (Test-Path -LiteralPath $Sums)) { Fail 'SHA256SUMS is missing; nothing was installed' }
$Lines = @(Get-Content -Encoding UTF8 -LiteralPath $Sums)
if ($Lines.Count -eq 0 -or @($Lines -notmatch '^[0-9a-f]{64}  .').Count) {
    Fail 'SHA256SUMS was altered; nothing was installed'
}
foreach ($Line in $Lines) {
    $Expected, $Name = $Line -split '  ', 2
    $Path = Join-Path $Here $Name
    if (-not (Test-Path -LiteralPath $Path)) { Fail "$Name is missing; nothing was installed" }
    if ((Get-FileHash -Algorithm SHA256 -LiteralPath $Path -ErrorAction SilentlyContinue).Hash -ne $Expected) {
        Fail "$Name was altered; nothing was installed"
    }
}

if (-not $Environment) { Fail 'name the virtual environment to install into, or activate one' }
# Programs do not know what ~ is, and take a backslash before the closing quote for an escape.
if ($Environment -match '^~[\\/](.+)$') { $Environment = Join-Path $HOME $Matches[1] }
$Environment = $Environment -replace '(?<=[^:\\/])[\\/]+$'
$Python = Find-Python
if (-not $Python) {
    $Base = Find-Base
    Invoke-Program $Base -m venv $Environment 2> $null
    if ($LASTEXITCODE -ne 0) { Invoke-Program $Base -m venv --without-pip $Environment }
    if ($LASTEXITCODE -ne 0) { Fail "$Base cannot make $Environment" }
    $Python = Find-Python
    if (-not $Python) { Fail "$Base made no Python in $Environment" }
}

# The pip that the bundle has for each Python, which runs from its wheel; else the environment's.
$Pip = @('-m', 'pip')
$Version = Invoke-Program $Python -c "import sys; print('%d.%d' % sys.version_info[:2])"
if ($LASTEXITCODE -ne 0) { Fail "the Python of $Environment does not run" }
foreach ($Installer in '@INSTALLERS@' -split ' ') {
    $For, $Wheel = $Installer -split ':', 2
    if ($For -eq $Version) { $Pip = @((Join-Path $Here "wheels\$Wheel\pip")) }
}
if ($Pip.Count -gt 1) {
    Invoke-Program $Python -c "try:`n import pip`nexcept ImportError:`n raise SystemExit(1)"
    if ($LASTEXITCODE -ne 0) {
        Fail "$Environment has no pip, and the bundle has none for Python $Version; bundle with --with-installer"
    }
}

$Requirements = Join-Path $Here 'requirements.txt'
if ($env:TARGET) { $Requirements = Join-Path $Here "requirements-$($env:TARGET).txt" }
if (-not (Test-Path -LiteralPath $Requirements)) {
    Fail "there is no $Requirements; TARGET must be one that README.txt lists"
}
Invoke-Program $Python @Pip install --no-index --disable-pip-version-check @OPTIONS@-r $Requirements
exit $LASTEXITCODE
