# Installs this bundle without a network.
#
#     powershell -ExecutionPolicy Bypass -File install.ps1                 into the active virtual environment
#     powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT     into that one, which is made if need be
#
# $env:PYTHON names the interpreter (python), $env:TARGET the target where markers cannot tell.
param([string]$Environment = $env:VIRTUAL_ENV)

$ErrorActionPreference = 'Stop'

function Fail([string]$Message) {
    [Console]::Error.WriteLine("install.ps1: $Message")
    exit 1
}

$Here = Split-Path -Parent $MyInvocation.MyCommand.Path
foreach ($Line in Get-Content -Encoding UTF8 (Join-Path $Here 'SHA256SUMS')) {
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
    $Base = if ($env:PYTHON) { $env:PYTHON } else { 'python' }
    & $Base -m venv $Environment
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
& $Python @Pip install --no-index --disable-pip-version-check @OPTIONS@-r $Requirements
exit $LASTEXITCODE
