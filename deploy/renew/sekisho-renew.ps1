<#
.SYNOPSIS
Renews this device's certificate before it runs out: EST simplereenroll, RFC 7030 section 4.2.2.
端末の証明書を期限前に更新します。Windows 11（TLS 1.3）と Windows PowerShell 5.1 以降が必要です。

.DESCRIPTION
The key is made anew in the TPM (or in Windows' own key store where there is none) and never leaves the device. The old
certificate stays until it runs out; the gateway ends it at the first login with the new one.

.PARAMETER Enrol
The gateway's address where devices are registered, as https://gate.example.jp:8443

.PARAMETER Force
Ask now, although two thirds of the certificate's life are not over.

.PARAMETER Install
Have Windows look every day: a scheduled task of this user.
#>
[CmdletBinding()]
param(
	[Parameter(Mandatory)][ValidatePattern('^https://[^/]+/?$')][string]$Enrol,
	[switch]$Force,
	[switch]$Install
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function Say([string]$Japanese, [string]$English) {
	if ((Get-UICulture).Name -like 'ja*') { "sekisho-renew: $Japanese" } else { "sekisho-renew: $English" }
}

if ($Install) {
	$command = "-NoProfile -WindowStyle Hidden -ExecutionPolicy Bypass -File `"$PSCommandPath`" -Enrol $Enrol"
	$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $command
	$trigger = New-ScheduledTaskTrigger -Daily -At 12:30
	$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -RunOnlyIfNetworkAvailable -ExecutionTimeLimit (New-TimeSpan -Minutes 5)
	Register-ScheduledTask -TaskName 'Sekisho renew' -Action $action -Trigger $trigger -Settings $settings -Force | Out-Null
	Say '毎日の自動更新を設定しました' 'it will be looked at every day'
	exit 0
}

# The newest certificate whose root is the gateway's own CA, as /ca.crt shows it to whoever trusts it already.
$base = $Enrol.TrimEnd('/')
$pem = (Invoke-WebRequest -UseBasicParsing "$base/ca.crt").Content
if ($pem -is [byte[]]) { $pem = [Text.Encoding]::ASCII.GetString($pem) }
$root = [Security.Cryptography.X509Certificates.X509Certificate2]::new([Text.Encoding]::ASCII.GetBytes($pem))

function Test-Root($certificate) {
	$chain = [Security.Cryptography.X509Certificates.X509Chain]::new()
	$chain.ChainPolicy.RevocationMode = 'NoCheck'
	[void]$chain.Build($certificate)
	$last = $chain.ChainElements[$chain.ChainElements.Count - 1].Certificate
	$last.Thumbprint -eq $root.Thumbprint
}

$current = Get-ChildItem Cert:\CurrentUser\My | Where-Object { $_.HasPrivateKey -and (Test-Root $_) } |
	Sort-Object NotAfter -Descending | Select-Object -First 1
if (-not $current) {
	Say 'この端末にゲートウェイの証明書がありません。管理者に登録コードを頼んでください' `
		'there is no certificate for this gateway: ask the administrator for an invitation'
	exit 1
}
$due = $current.NotBefore + [TimeSpan]::FromTicks([long](($current.NotAfter - $current.NotBefore).Ticks / 3 * 2))
if (-not $Force -and (Get-Date) -lt $due) { exit 0 }
if ((Get-Date) -ge $current.NotAfter) {
	Say "証明書の期限が切れています（$($current.NotAfter)）。管理者に新しい登録コードを頼んでください" `
		"the certificate ran out on $($current.NotAfter): ask the administrator for a new invitation"
	exit 1
}

$folder = New-Item -ItemType Directory (Join-Path $env:TEMP "sekisho-$([guid]::NewGuid())")
try {
	$inf = Join-Path $folder 'request.inf'
	$csr = Join-Path $folder 'request.csr'
	$answer = Join-Path $folder 'answer.p7b'
	$made = $false
	foreach ($provider in 'Microsoft Platform Crypto Provider', 'Microsoft Software Key Storage Provider') {
		@"
[NewRequest]
Subject = "$($current.Subject.Replace('"', '""'))"
KeyAlgorithm = ECDSA_P256
KeyLength = 256
HashAlgorithm = SHA256
ProviderName = "$provider"
Exportable = FALSE
MachineKeySet = FALSE
RequestType = PKCS10
"@ | Set-Content -Encoding Unicode $inf
		& certreq.exe -new -user -q $inf $csr | Out-Null
		if ($LASTEXITCODE -eq 0) { $made = $true; break }
	}
	if (-not $made) { throw (Say '鍵を作れません（certreq）' 'certreq could not make a key') }

	$response = Invoke-WebRequest -UseBasicParsing -Method Post -Certificate $current -ContentType 'application/pkcs10' `
		-InFile $csr "$base/.well-known/est/simplereenroll"
	$text = if ($response.Content -is [byte[]]) { [Text.Encoding]::ASCII.GetString($response.Content) } else { $response.Content }
	[IO.File]::WriteAllBytes($answer, [Convert]::FromBase64String($text))
	& certreq.exe -accept -user -q $answer | Out-Null
	if ($LASTEXITCODE -ne 0) { throw (Say '証明書を取り込めません（certreq -accept）' 'certreq -accept failed') }
	Say '証明書を更新しました' 'renewed'
} finally {
	Remove-Item -Recurse -Force $folder
}
