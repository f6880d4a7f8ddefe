// qpdf, as far as reading plain documents needs it.
//
// Its JSON.hh keeps vectors of a class that is not complete yet; where vector is constexpr (C++20 on), clang looks into
// them too early. We take nothing from JSON.hh, so clang gets the name alone.
#pragma once
#if defined(__clang__) && !defined(JSON_HH)
#define JSON_HH
class JSON;
#endif
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFLogger.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFPageDocumentHelper.hh>
#include <qpdf/QPDFPageObjectHelper.hh>
