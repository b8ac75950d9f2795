@echo off
rem Sets up the lab on this computer, without a network, and opens it; README.txt says more.
rem pushd gives a share a drive letter; cd cannot enter one.
setlocal
pushd "%~dp0"
set "FOUND=py -3.12"
py -3.12 -c "" >nul 2>nul
if not errorlevel 1 goto found
set "FOUND=python"
python -c "" >nul 2>nul
if not errorlevel 1 goto found
echo There is no Python on this computer. Install Python 3.12, and start again: see README.txt.
set "STATUS=1"
goto done
:found
%FOUND% open_lab.py %*
set "STATUS=%ERRORLEVEL%"
:done
popd
if "%~1"=="" pause
exit /b %STATUS%
