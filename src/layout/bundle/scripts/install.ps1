# Installs this bundle without a network.
#
#     powershell -ExecutionPolicy Bypass -File install.ps1                 into the active virtual environment
#     powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT     into that one, which is made if need be
#
# $env:PYTHON names the interpreter (python), $env:TARGET the target where markers cannot tell, and
# $env:PREFETCH_PUBLIC_KEY the minisign key by which the bundle must be signed.
param([string]$Environment = $env:VIRTUAL_ENV)

$ErrorActionPreference = 'Stop'
# The exit codes of programs are looked at below, and need no error of their own (PowerShell 7.4).
$PSNativeCommandUseErrorActionPreference = $false

function Fail([string]$Message) {
    [Console]::Error.WriteLine("install.ps1: $Message")
    exit 1
}

function Test-Program([string]$Name) {
    return [bool](Get-Command $Name -ErrorAction SilentlyContinue)
}

$Here = Split-Path -Parent $MyInvocation.MyCommand.Path
$Base = if ($env:PYTHON) { $env:PYTHON } else { 'python' }

function Confirm-Base {
    if (-not (Test-Program $Base)) { Fail "there is no $Base; name an interpreter in the variable PYTHON" }
}

$Agrees = @'
@AGREES@'@
if ($env:PREFETCH_PUBLIC_KEY) {
    if (-not (Test-Program 'minisign')) { Fail 'PREFETCH_PUBLIC_KEY is set, and there is no minisign to check it' }
    & minisign -Vqm (Join-Path $Here 'prefetch.json') -P $env:PREFETCH_PUBLIC_KEY
    if ($LASTEXITCODE -ne 0) {
        Fail 'the bundle is not signed by the key in PREFETCH_PUBLIC_KEY; do not install it'
    }
    Confirm-Base
    & $Base -c $Agrees $Here
    if ($LASTEXITCODE -ne 0) {
        Fail 'SHA256SUMS was altered: it does not list what the signed manifest says; do not install it'
    }
}

foreach ($Line in Get-Content -Encoding UTF8 -LiteralPath (Join-Path $Here 'SHA256SUMS')) {
    $Expected, $Name = $Line -split '  ', 2
    $Path = Join-Path $Here $Name
    if (-not (Test-Path -LiteralPath $Path)) { Fail "$Name is missing; nothing was installed" }
    if ((Get-FileHash -Algorithm SHA256 -LiteralPath $Path).Hash -ne $Expected) {
        Fail "$Name was altered; nothing was installed"
    }
}

if (-not $Environment) { Fail 'name the virtual environment to install into, or activate one' }
$Python = Join-Path $Environment 'Scripts\python.exe'
if (-not (Test-Path -LiteralPath $Python)) {
    Confirm-Base
    & $Base -m venv $Environment
    if ($LASTEXITCODE -ne 0) { & $Base -m venv --without-pip $Environment }
    if ($LASTEXITCODE -ne 0) { Fail "$Base cannot make $Environment" }
}

$Requirements = Join-Path $Here 'requirements.txt'
if ($env:TARGET) { $Requirements = Join-Path $Here "requirements-$($env:TARGET).txt" }
if (-not (Test-Path -LiteralPath $Requirements)) {
    Fail "there is no $Requirements; TARGET must be one that README.txt lists"
}

# The pip that the bundle has for each Python, which runs from its wheel; else the environment's.
$Pip = @('-m', 'pip')
$Version = & $Python -c "import sys; print('%d.%d' % sys.version_info[:2])"
foreach ($Installer in '@INSTALLERS@' -split ' ') {
    $For, $Wheel = $Installer -split ':', 2
    if ($For -eq $Version) { $Pip = @((Join-Path $Here "wheels\$Wheel\pip")) }
}
if ($Pip.Count -gt 1) {
    & $Python -c "try:`n import pip`nexcept ImportError:`n raise SystemExit(1)"
    if ($LASTEXITCODE -ne 0) {
        Fail "$Environment has no pip, and the bundle has none for Python $Version; bundle with --with-installer"
    }
}
& $Python @Pip install --no-index --disable-pip-version-check @OPTIONS@-r $Requirements
exit $LASTEXITCODE
